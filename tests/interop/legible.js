// What makes a page hard to read, as a list of complaints: `legible` of whoever drives the browser.
(() => {
  const complaints = [], width = window.innerWidth;
  const name = element => `${element.tagName.toLowerCase()} “${(element.textContent || element.placeholder || "").trim().slice(0, 30)}”`;
  const complain = (element, what) => complaints.push(`${name(element)}: ${what}`);
  const numbers = color => color.match(/[\d.]+/g).map(Number);

  // Relative luminance and contrast as WCAG 2.2 defines them.
  const luminance = color => {
    const [r, g, b] = numbers(color).map(value => value / 255).map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (one, other) => {
    const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };
  const isOpaque = color => numbers(color).length === 3 || numbers(color)[3] === 1;
  const behind = element => {
    for (let at = element; at; at = at.parentElement) {
      const { backgroundColor } = getComputedStyle(at);
      if (isOpaque(backgroundColor)) return backgroundColor;
    }
    return "rgb(255, 255, 255)";
  };
  const judge = (element, color, least, what) => {
    const found = contrast(color, behind(element));
    if (found < least) complain(element, `${what} has a contrast of ${found.toFixed(2)}`);
  };

  if (document.documentElement.scrollWidth > width) complaints.push(`${document.documentElement.scrollWidth} pixels wide, of ${width}`);
  let texts = 0;
  for (const element of document.querySelectorAll("body *")) {
    const style = getComputedStyle(element), box = element.getBoundingClientRect();
    if (style.display === "none" || !box.width || !box.height) continue;
    const isText = Array.from(element.childNodes).some(node => node.nodeType === Node.TEXT_NODE && node.data.trim());
    if (isText || element.placeholder) {
      texts += 1;
      if (parseFloat(style.fontSize) < 12) complain(element, `letters of ${style.fontSize}`);
      if (box.left < 0 || box.right > width + 0.5) complain(element, `from ${box.left} to ${box.right}, of ${width}`);
      if (element.scrollWidth > element.clientWidth + 1 && style.display !== "inline") complain(element, "its text is cut off");
      judge(element, isText ? style.color : getComputedStyle(element, "::placeholder").color, 4.5, "text");
    }
    if (element.tagName === "polyline") judge(element, style.stroke, 3, "line");
    if (element.matches("a, button, input") && box.height < 24) complain(element, `${box.height} pixels high: too low for a finger`);
  }
  return { complaints, texts };
})()
