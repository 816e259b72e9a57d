// Owns what assistive technology is told about the empty elements with which Fluent's focus manager (tabster) bends the Tab order.
// They carry aria-hidden and are focusable at once, which axe rightly reports (aria-hidden-focus). They have no content and hand the
// focus on at once, so plain elements without role are both correct and silent.

const bumperSelector = '[data-tabster-dummy]';

function makePlain(bumper: Element): void {
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
          for (const bumper of node.querySelectorAll(bumperSelector)) makePlain(bumper);
      }
    }
  });
  observer.observe(root, { childList: true, subtree: true });
}
