// Whether somebody has pressed on something else meanwhile: nothing takes the focus from them then,
// or what they type would go where they no longer look.
let presses = 0;
document.addEventListener("pointerdown", () => { presses += 1; }, { capture: true, passive: true });
export const attention = () => {
  const before = presses;
  return () => presses === before;
};
