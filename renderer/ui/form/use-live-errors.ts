// Owns when the errors of a page's fields are shown: from the first attempt to leave the page, each until its fault is corrected.
import { useState } from 'react';

interface LiveErrors<Problems> {
  readonly errors: Problems | Record<string, never>;
  /** Shows the problems. True when there are none. */
  readonly check: () => boolean;
}

/** @param problems what is wrong with the present input, by field; empty when nothing is wrong */
export function useLiveErrors<Problems extends object>(problems: Problems): LiveErrors<Partial<Problems>> {
  const [isChecked, setChecked] = useState(false);
  return {
    errors: isChecked ? problems : {},
    check: () => {
      const isGood = Object.keys(problems).length === 0;
      setChecked(!isGood);
      return isGood;
    },
  };
}
