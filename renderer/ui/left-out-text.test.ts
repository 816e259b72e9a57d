import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { texts } from '../i18n/texts.ts';
import { leftOutTexts } from './left-out-text.ts';

describe('rows that a list lacks', () => {
  const intl = createIntl({ locale: 'en-US', messages: texts });
  const write = (...[leftOut, lists]: [Parameters<typeof leftOutTexts>[0], Parameters<typeof leftOutTexts>[1]]) =>
    leftOutTexts(leftOut, lists, (id, values) => intl.formatMessage({ id }, values));

  it('are counted and named, with one sentence for each list', () => {
    const leftOut = [
      { list: 'tenants', count: 1, names: ['contoso'] },
      { list: 'sessions', count: 2, names: ['0123456789abcdef0123456789abcdef', 'row 7'] },
      { list: 'jobs', count: 9, names: ['Nightly'] },
    ];
    expect(write(leftOut, { sessions: 'sessions', tenants: 'tenants' })).toEqual([
      expect.stringMatching(/^2 sessions cannot be shown: 0123456789ab, row 7\. /),
      expect.stringMatching(/^1 tenant cannot be shown: contoso\. /),
    ]);
  });

  it('of several answers make one sentence; rows without a name are counted', () => {
    const leftOut = [
      { list: 'entries', count: 6, names: ['a', 'b'] },
      { list: 'entries', count: 1, names: ['c'] },
    ];
    expect(write(leftOut, { entries: 'items' })).toEqual([
      expect.stringMatching(/^7 files or folders cannot be shown: a, b, c and 4 more\. /),
    ]);
  });

  it('give no text if there are none', () => expect(write([], { sessions: 'sessions' })).toEqual([]));
});
