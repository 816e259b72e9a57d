import { createIntl } from 'react-intl';
import { describe, expect, it } from 'vitest';
import { texts } from './texts.ts';

describe('texts', () => {
  it('are valid messages that contain all their values', () => {
    const problems: unknown[] = [];
    const intl = createIntl({ locale: 'en-US', messages: texts, onError: (error) => problems.push(error) });
    for (const [id, text] of Object.entries(texts)) {
      const names = [...text.matchAll(/\{(\w+)/g)].map((match) => match[1] ?? '');
      const values = Object.fromEntries(names.map((name) => [name, 2]));
      const written = intl.formatMessage({ id }, values);
      expect(written, id).not.toContain('{');
      expect(written.trim(), id).not.toBe('');
    }
    expect(problems).toEqual([]);
  });
});
