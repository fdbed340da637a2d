"""Questions: asked, loaded, edited, listed, and what needs a person today."""
