import { describe, expect, it } from 'vitest';
import { formatFacts, formatTable, printable } from './text-table.ts';

describe('text for people', () => {
  it('puts rows below their titles', () => {
    const rows = [
      { name: 'main', bytes: '5' },
      { name: 'archive', bytes: '12345' },
    ];
    const table = formatTable(
      rows,
      [
        { title: 'NAME', value: ({ name }) => name },
        { title: 'BYTES', value: ({ bytes }) => bytes, align: 'right' },
      ],
      'nothing',
    );
    expect(table).toBe(['NAME     BYTES', 'main         5', 'archive  12345'].join('\n'));
  });

  it('has a replacement text when there are no rows', () => {
    expect(formatTable([], [{ title: 'NAME', value: String }], 'There is no job.')).toBe('There is no job.');
  });

  it('does not let a name control the terminal', () => {
    const name = 'a\u001b[2Jb\u202ec\nd';
    expect(printable(name)).toBe('a\\u{1b}[2Jb\\u{202e}c\\u{a}d');
    expect(formatFacts([['Job', name]])).not.toContain('\u001b');
    expect(formatTable([name], [{ title: 'NAME', value: String }], '').split('\n')).toHaveLength(2);
  });
});
