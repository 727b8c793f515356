// Tells where the person clicked, or what box they drew, in pixels of the image.
const MOVED = 6;

export default function ({ parentElement, data, setTriggerValue }) {
  const stage = parentElement.querySelector(".stage");
  const image = parentElement.querySelector("img");
  const box = parentElement.querySelector(".box");
  let start = null;

  // Keys are for the picture; a text field has them while somebody writes in it.
  if (document.activeElement instanceof HTMLInputElement) document.activeElement.blur();
  if (image.src !== data.picture) image.src = data.picture;
  image.alt = data.hint;
  stage.title = data.hint;

  const place = (event) => {
    const shown = image.getBoundingClientRect();
    const share = (at, from, length) => Math.min(Math.max((at - from) / length, 0), 0.9999);
    return {
      x: share(event.clientX, shown.left, shown.width) * data.width,
      y: share(event.clientY, shown.top, shown.height) * data.height,
      left: event.clientX - stage.getBoundingClientRect().left,
      top: event.clientY - stage.getBoundingClientRect().top,
    };
  };

  image.onpointerdown = (event) => {
    start = place(event);
    image.setPointerCapture(event.pointerId);
  };
  image.onpointermove = (event) => {
    if (!start) return;
    const now = place(event);
    const far = Math.hypot(now.left - start.left, now.top - start.top) > MOVED;
    box.style.display = far ? "block" : "none";
    box.style.left = `${Math.min(now.left, start.left)}px`;
    box.style.top = `${Math.min(now.top, start.top)}px`;
    box.style.width = `${Math.abs(now.left - start.left)}px`;
    box.style.height = `${Math.abs(now.top - start.top)}px`;
  };
  image.onpointerup = (event) => {
    if (!start) return;
    const first = start;
    const now = place(event);
    const far = Math.hypot(now.left - first.left, now.top - first.top) > MOVED;
    start = null;
    box.style.display = "none";
    setTriggerValue("act", {
      kind: far ? "box" : "click",
      x: first.x,
      y: first.y,
      x2: now.x,
      y2: now.y,
      more: event.shiftKey,
      outside: event.altKey || event.button === 2,
    });
  };
  image.oncontextmenu = (event) => event.preventDefault();

  const undo = (event) => {
    const writing = document.activeElement instanceof HTMLInputElement;
    if (writing || !(event.ctrlKey || event.metaKey) || event.key !== "z") return;
    event.preventDefault();
    setTriggerValue("act", { kind: "undo" });
  };
  // Called again for every new picture, and only once gone when the component is.
  document.removeEventListener("keydown", stage.undo);
  stage.undo = undo;
  document.addEventListener("keydown", undo);
  return () => document.removeEventListener("keydown", undo);
}
