// Owns the steps of the zoom, and which key leads to which step.

const steps = [0.5, 0.67, 0.75, 0.8, 0.9, 1, 1.1, 1.25, 1.5, 1.75, 2] as const;

/** @returns the factor after Ctrl and this key; null for keys that do not zoom */
export function zoomAfterKey(key: string, current: number): number | null {
  switch (key) {
    case '+':
    // The key of "+" without Shift on many keyboards.
    case '=':
      return steps.find((step) => step > current + 0.01) ?? 2;
    case '-':
    case '_':
      return steps.findLast((step) => step < current - 0.01) ?? 0.5;
    case '0':
      return 1;
    default:
      return null;
  }
}
