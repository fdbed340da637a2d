"""The page in a real browser: wide and narrow, light and dark."""

import pytest

from forecasting.review import write


@pytest.fixture(scope="module")
def address(review_data, tmp_path_factory):
    path = write(review_data, tmp_path_factory.mktemp("review"))
    return path.as_uri()


@pytest.fixture
def unfolded(chrome, address):
    """Give the page in a window of a width, with every part of it open."""
    pages = []

    def visit(width):
        pages.append(chrome.new_page(viewport={"width": width, "height": 1000}))
        pages[-1].goto(address)
        pages[-1].evaluate(OPEN)
        return pages[-1]

    yield visit
    for page in pages:
        page.close()


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_the_page_never_scrolls_sideways(unfolded, width):
    assert unfolded(width).evaluate("document.documentElement.scrollWidth") <= width


def test_nothing_is_cut_off_on_paper(unfolded):
    # A4 with its margins is about 720 pixels wide.
    page = unfolded(720)
    page.emulate_media(media="print")
    assert page.evaluate("document.documentElement.scrollWidth") <= 720


def test_the_page_asks_for_nothing_and_complains_of_nothing(chrome, address):
    page = chrome.new_page()
    asked = []
    messages = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: messages.append(message.text))
    page.goto(address)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert not messages
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_letters_can_be_read_in_light_and_in_dark(chrome, address, scheme):
    context = chrome.new_context(color_scheme=scheme)
    page = context.new_page()
    page.goto(address)
    worst = page.evaluate(CONTRAST)
    assert worst["ratio"] >= 4.5, worst
    context.close()


@pytest.mark.parametrize(("width", "least"), [(390, 9.0), (1400, 10.0)])
def test_letters_in_pictures_are_large_enough_and_none_is_cut_off(unfolded, width, least):
    page = unfolded(width)
    assert page.evaluate(SMALLEST) >= least
    assert page.evaluate(CUT) == []


OPEN = "document.querySelectorAll('details').forEach(part => part.open = true)"
CONTRAST = """() => {
  const light = c => {
    const [r, g, b] = c.match(/[\\d.]+/g).map(Number).map(v => {
      v /= 255; return v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4 });
    return .2126 * r + .7152 * g + .0722 * b };
  const ground = light(getComputedStyle(document.body).backgroundColor);
  let worst = {ratio: 99};
  for (const part of document.querySelectorAll('p,th,td,small,a,summary,li,svg text')) {
    const style = getComputedStyle(part);
    const ink = light(part.tagName === 'text' ? style.fill : style.color);
    const ratio = (Math.max(ink, ground) + .05) / (Math.min(ink, ground) + .05);
    if (ratio < worst.ratio)
      worst = {ratio, tag: part.tagName, text: part.textContent.slice(0, 40)};
  }
  return worst }"""

SMALLEST = """() => Math.min(...[...document.querySelectorAll('svg text')]
  .map(text => parseFloat(getComputedStyle(text).fontSize)
    * Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b)))"""

CUT = """() => [...document.querySelectorAll('svg')].flatMap(svg => {
  const frame = svg.getBoundingClientRect();
  return [...svg.querySelectorAll('text')].filter(text => {
    const box = text.getBoundingClientRect();
    return box.left < frame.left - 2 || box.right > frame.right + 2
      || box.top < frame.top - 2 || box.bottom > frame.bottom + 2 })
    .map(text => text.textContent) })"""
