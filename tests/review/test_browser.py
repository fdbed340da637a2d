"""The page in a real browser: wide and narrow, light and dark."""

import pytest

from forecasting.review import write


@pytest.fixture(scope="module")
def address(review_data, tmp_path_factory):
    path = write(review_data, tmp_path_factory.mktemp("review"))
    return path.as_uri()


@pytest.mark.parametrize("width", [320, 390, 768, 1400])
def test_the_page_never_scrolls_sideways(chrome, address, width):
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    page.evaluate(OPEN)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.close()


def test_nothing_is_cut_off_on_paper(chrome, address):
    # A4 with its margins is about 720 pixels wide.
    page = chrome.new_page(viewport={"width": 720, "height": 1020})
    page.goto(address)
    page.emulate_media(media="print")
    page.evaluate(OPEN)
    assert page.evaluate("document.documentElement.scrollWidth") <= 720
    page.close()


def test_the_page_asks_for_nothing_and_complains_of_nothing(chrome, address):
    page = chrome.new_page()
    asked = []
    said = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    page.goto(address)
    assert [url for url in asked if not url.startswith("data:")] == [address]
    assert not said
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
def test_letters_in_pictures_are_large_enough(chrome, address, width, least):
    page = chrome.new_page(viewport={"width": width, "height": 900})
    page.goto(address)
    page.evaluate(OPEN)
    assert page.evaluate(SMALLEST) >= least
    page.close()


def test_no_letter_of_a_picture_is_cut_off(chrome, address):
    for width in (390, 1400):
        page = chrome.new_page(viewport={"width": width, "height": 900})
        page.goto(address)
        page.evaluate(OPEN)
        assert page.evaluate(CUT) == []
        page.close()


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
