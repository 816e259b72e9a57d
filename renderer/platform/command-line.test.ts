import { describe, expect, it } from 'vitest';
import { commandLine, quoteArgument, sizeArgument } from './command-line.ts';

describe('command lines', () => {
  it('quote only what a shell would split or interpret', () => {
    expect(quoteArgument('/srv/backup-1')).toBe('/srv/backup-1');
    expect(quoteArgument('Nightly documents')).toBe("'Nightly documents'");
    expect(quoteArgument("it's $HOME")).toBe(`'it'\\''s $HOME'`);
    expect(quoteArgument('')).toBe("''");
  });

  it('leave out what is null', () => {
    expect(commandLine('job', 'run', null, 'a b')).toBe("farkeep job run 'a b'");
  });

  it('write sizes in the largest unit that keeps them whole', () => {
    expect(sizeArgument(500_000_000_000)).toBe('500GB');
    expect(sizeArgument(1_500_000_000_000)).toBe('1500GB');
    expect(sizeArgument(1_000_000_000_000)).toBe('1TB');
    expect(sizeArgument(1234)).toBe('1234');
  });
});
