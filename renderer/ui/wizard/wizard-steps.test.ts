import { describe, expect, it } from 'vitest';
import { nextStep, previousStep, stepStates } from './wizard-steps.ts';

const stepIds = ['type', 'generate', 'summary'];

describe('wizard steps', () => {
  it('show what is done, current and not started', () => {
    expect(stepStates({ stepIds, currentId: 'generate' })).toEqual(['done', 'current', 'next']);
  });

  it('have no step before the first and none after the last', () => {
    expect(previousStep({ stepIds, currentId: 'type' })).toBeNull();
    expect(nextStep({ stepIds, currentId: 'type' })).toBe('generate');
    expect(nextStep({ stepIds, currentId: 'summary' })).toBeNull();
    expect(previousStep({ stepIds, currentId: 'summary' })).toBe('generate');
  });

  it('start again if the current step disappears', () => {
    expect(stepStates({ stepIds, currentId: 'import' })).toEqual(['current', 'next', 'next']);
    expect(nextStep({ stepIds, currentId: 'import' })).toBe('generate');
  });
});
