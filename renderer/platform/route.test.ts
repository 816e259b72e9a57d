import { describe, expect, it } from 'vitest';
import { overviewRoute, pages, parseRoute } from './route.ts';

const sessionId = '0123456789abcdef0123456789abcdef';

describe('routes', () => {
  it('are read from the name of a page, with or without a session', () => {
    for (const page of pages) expect(parseRoute(page)).toEqual({ page, sessionId: null });
    for (const page of ['provider/sessions', 'tenant/sessions'] as const)
      expect(parseRoute(`${page}/${sessionId}`)).toEqual({ page, sessionId });
  });

  it('lead to the overview if they are unknown', () => {
    for (const text of ['', 'provider', 'tenant/sessions/xyz', `tenant/jobs/${sessionId}`, '../../etc']) {
      expect(parseRoute(text)).toEqual(overviewRoute);
    }
  });
});
