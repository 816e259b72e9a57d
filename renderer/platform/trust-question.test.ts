import { describe, expect, it } from 'vitest';
import { promptOf } from '../testing/fixtures.ts';
import { askTrust, postponeTrust, settleTrust, useTrustQuestions } from './trust-question.ts';

describe('trust questions', () => {
  it('ask about one identity once, even if several callers wait', async () => {
    const prompt = promptOf('untrusted');
    const first = askTrust(prompt);
    const second = askTrust(prompt);
    expect(useTrustQuestions.getState().questions).toHaveLength(1);
    settleTrust(prompt.id, 'accept');
    await expect(Promise.all([first, second])).resolves.toEqual(['accept', 'accept']);
    expect(useTrustQuestions.getState().questions).toHaveLength(0);
  });

  it('close without an answer if the user decides later', async () => {
    const prompt = promptOf('changed');
    const answer = askTrust(prompt);
    postponeTrust(prompt.id);
    await expect(answer).resolves.toBe('withdrawn');
  });

  it('ignore answers to prompts that are not open', () => {
    settleTrust('f'.repeat(32), 'refuse');
    expect(useTrustQuestions.getState().questions).toHaveLength(0);
  });
});
