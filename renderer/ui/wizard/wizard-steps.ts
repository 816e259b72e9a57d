// Owns the order of a wizard's steps: the next step, and which are done. Pure. Steps may change while the wizard is open.

export type StepState = 'done' | 'current' | 'next';

export interface StepPlace {
  readonly stepIds: readonly string[];
  readonly currentId: string;
}

function indexOfCurrent({ stepIds, currentId }: StepPlace): number {
  // If the current step disappears (another certificate type was chosen), the wizard shows its first page.
  return Math.max(0, stepIds.indexOf(currentId));
}

export function stepStates(place: StepPlace): readonly StepState[] {
  const current = indexOfCurrent(place);
  return place.stepIds.map((_id, index) => (index < current ? 'done' : index === current ? 'current' : 'next'));
}

/** Null at the last step. */
export function nextStep(place: StepPlace): string | null {
  return place.stepIds[indexOfCurrent(place) + 1] ?? null;
}

/** Null at the first step. */
export function previousStep(place: StepPlace): string | null {
  const index = indexOfCurrent(place);
  return index === 0 ? null : (place.stepIds[index - 1] ?? null);
}
