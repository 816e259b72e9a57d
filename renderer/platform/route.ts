// Owns the pages, and their text form in the preferences, in notifications and in the navigation.

export const pages = [
  'overview',
  'provider/cloud-connect',
  'provider/gateways',
  'provider/tenants',
  'provider/repositories',
  'provider/sessions',
  'tenant/service-providers',
  'tenant/jobs',
  'tenant/points',
  'tenant/sessions',
] as const;
export type Page = (typeof pages)[number];

export interface Route {
  readonly page: Page;
  /** The session to open; only on the two session pages. */
  readonly sessionId: string | null;
}

export const overviewRoute: Route = { page: 'overview', sessionId: null };

/** Unknown text leads to the overview, because it may come from the preferences of another version. */
export function parseRoute(text: string): Route {
  const page = pages.find((candidate) => candidate === text);
  if (page !== undefined) return { page, sessionId: null };
  const session = /^(provider|tenant)\/sessions\/([0-9a-f]{32})$/.exec(text);
  if (session?.[2] === undefined) return overviewRoute;
  return { page: session[1] === 'provider' ? 'provider/sessions' : 'tenant/sessions', sessionId: session[2] };
}
