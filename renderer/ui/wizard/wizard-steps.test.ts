import { describe, expect, it } from 'vitest';
import { nextStep, previousStep, stepStates } from './wizard-steps.ts';

const stepIds = ['type', 'generate', 'summary'];

describe('wizard steps', () => {
  it('know what is done, current and to come', () => {
    expect(stepStates({ stepIds, currentId: 'generate' })).toEqual(['done', 'current', 'next']);
  });

  it('end at both ends', () => {
    expect(previousStep({ stepIds, currentId: 'type' })).toBeNull();
    expect(nextStep({ stepIds, currentId: 'type' })).toBe('generate');
    expect(nextStep({ stepIds, currentId: 'summary' })).toBeNull();
    expect(previousStep({ stepIds, currentId: 'summary' })).toBe('generate');
  });

  it('begin again when the current step went away', () => {
    expect(stepStates({ stepIds, currentId: 'import' })).toEqual(['current', 'next', 'next']);
    expect(nextStep({ stepIds, currentId: 'import' })).toBe('generate');
  });
});
