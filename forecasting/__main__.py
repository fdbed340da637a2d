"""``python -m forecasting`` is ``forecast``."""

from forecasting.cli import main

if __name__ == "__main__":
    main()
