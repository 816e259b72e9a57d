// Owns the empty elements with which Fluent's focus manager (tabster) changes the Tab order. They have aria-hidden and can have the focus,
// which axe correctly reports (aria-hidden-focus). At the ends of the document this file removes aria-hidden. Without content they are
// silent for assistive technology, and they pass the focus on at once. Those of dialogs stay unchanged.

const bumperSelector = '[data-tabster-dummy]';

function makePlain(bumper: HTMLElement): void {
  if (bumper.parentElement?.matches('[role="tablist"], [role="toolbar"], [role="menu"]') === true) {
    // A composite widget may contain only its own parts. The arrow keys move inside it, so Tab needs no bumper there.
    bumper.tabIndex = -1;
    return;
  }
  if (bumper.parentElement !== document.body) return;
  bumper.removeAttribute('aria-hidden');
  bumper.removeAttribute('role');
}

export function watchFocusBumpers(root: HTMLElement): void {
  const observer = new MutationObserver((records) => {
    for (const { addedNodes } of records) {
      for (const node of addedNodes) {
        if (!(node instanceof HTMLElement)) continue;
        if (node.matches(bumperSelector)) makePlain(node);
        else if (node.childElementCount > 0)
          for (const bumper of node.querySelectorAll<HTMLElement>(bumperSelector)) makePlain(bumper);
      }
    }
  });
  observer.observe(root, { childList: true, subtree: true });
}
