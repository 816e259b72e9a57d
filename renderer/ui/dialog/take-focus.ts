// Owns moving the focus to a control that replaces the control which had the focus, such as Close after Set password.

/** For `ref`: focuses the control once, when it appears. */
export function takeFocus(element: HTMLElement | null): void {
  element?.focus();
}
