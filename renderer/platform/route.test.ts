import { describe, expect, it } from 'vitest';
import { formatRoute, overviewRoute, pages, parseRoute } from './route.ts';

const sessionId = '0123456789abcdef0123456789abcdef';

describe('routes', () => {
  it('survive being written down', () => {
    for (const page of pages)
      expect(parseRoute(formatRoute({ page, sessionId: null }))).toEqual({ page, sessionId: null });
    const route = { page: 'provider/sessions', sessionId } as const;
    expect(parseRoute(formatRoute(route))).toEqual(route);
  });

  it('lead to the overview when they are unknown', () => {
    for (const text of ['', 'provider', 'tenant/sessions/xyz', `tenant/jobs/${sessionId}`, '../../etc']) {
      expect(parseRoute(text)).toEqual(overviewRoute);
    }
  });
});
