// Runs in the browser, in a page.

/** Texts with less than 4.5:1 against what is behind them, WCAG 2.2 criterion 1.4.3. */
export function faintTexts() {
  const luminance = (color) => {
    const channels = (/\d+, \d+, \d+/.exec(color)?.[0] ?? "").split(", ").map((channel) => {
      const part = Number(channel) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    const [red = 0, green = 0, blue = 0] = channels;
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const behind = (element) => {
    const { backgroundColor } = getComputedStyle(element);
    const { parentElement } = element;
    const isClear = backgroundColor === "rgba(0, 0, 0, 0)" && parentElement !== null;
    return isClear ? behind(parentElement) : backgroundColor;
  };
  const holdsText = (element) =>
    [...element.childNodes].some(
      (node) => node.nodeType === Node.TEXT_NODE && node.textContent?.trim() !== "",
    );
  const texts = [...document.body.querySelectorAll("*")].filter(holdsText);
  return texts.flatMap((element) => {
    const both = [getComputedStyle(element).color, behind(element)];
    const [one, other] = [luminance(both[0]), luminance(both[1])];
    const ratio = (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
    return ratio < 4.5 ? [`${element.textContent?.trim()}: ${both.join(" on ")}`] : [];
  });
}
