// Owns what assistive technology is told about the empty elements with which Fluent's focus manager (tabster) bends the Tab order.
// They carry aria-hidden and are focusable at once, which axe rightly reports (aria-hidden-focus). At the ends of the document they become
// plain elements: without content they are silent, and they hand the focus on at once. Those of dialogs stay as they are.

const bumperSelector = '[data-tabster-dummy]';

function makePlain(bumper: HTMLElement): void {
  if (bumper.parentElement?.matches('[role="tablist"], [role="toolbar"], [role="menu"]') === true) {
    // Inside a widget of its own nothing but the widget's parts may stand; the arrow keys need no bumper that Tab reaches.
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
