import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { confirmRemoval } from './confirm-removal.ts';

const removal = { what: 'account "acme"', consequences: ['Its backups stay.'] };

function terminalThatSays(answer: string, isTTY = true): { terminal: Terminal; shown: () => string } {
  const input = Object.assign(new PassThrough(), { isTTY });
  const output = Object.assign(new PassThrough(), { isTTY });
  const parts: string[] = [];
  output.on('data', (part: Buffer) => parts.push(String(part)));
  input.end(answer);
  return { terminal: { input, output }, shown: () => parts.join('') };
}
type Terminal = NonNullable<Parameters<typeof confirmRemoval>[2]['terminal']>;

const ask = (terminal: Terminal, { isSure = false, isJson = false } = {}): Promise<void> =>
  confirmRemoval({ output: { isJson }, signal: new AbortController().signal }, removal, { isSure, terminal });

describe('a removal on the command line', () => {
  it('names what is lost and what stays, and continues only after "yes"', async () => {
    const { terminal, shown } = terminalThatSays('yes\n');
    await ask(terminal);
    expect(shown()).toContain('Remove account "acme"?\n  Its backups stay.\n');
    expect(shown()).toContain('Type "yes" to remove it');
    for (const answer of ['\n', 'y\n', 'no\n', 'yes, please\n', '']) {
      await expect(ask(terminalThatSays(answer).terminal), answer).rejects.toMatchObject({ code: 'call.canceled' });
    }
  });

  it('does not ask in a script', async () => {
    const { terminal, shown } = terminalThatSays('no\n');
    await ask(terminal, { isSure: true });
    await ask(terminal, { isJson: true });
    await ask(terminalThatSays('no\n', false).terminal);
    expect(shown()).toBe('');
  });
});
