// Owns the names of the help pages, and which page of the console has which one. The pages are docs/help/NAME.md.
import type { Page } from './route.ts';

/** In the order of the list in the help. */
export const helpPages = [
  'getting-started',
  'set-up-a-provider',
  'set-up-a-gateway-on-another-computer',
  'add-a-tenant',
  'connect-to-a-provider',
  'create-a-job',
  'restore-files',
  'restore-when-everything-is-lost',
  'change-a-certificate',
  'read-a-session',
  'lists-and-keys',
  'run-as-a-service',
] as const;
export type HelpPage = (typeof helpPages)[number];

export const helpOfPage = {
  overview: 'getting-started',
  'provider/cloud-connect': 'change-a-certificate',
  'provider/gateways': 'set-up-a-gateway-on-another-computer',
  'provider/tenants': 'add-a-tenant',
  'provider/repositories': 'set-up-a-provider',
  'provider/sessions': 'read-a-session',
  'tenant/service-providers': 'connect-to-a-provider',
  'tenant/jobs': 'create-a-job',
  'tenant/points': 'restore-files',
  'tenant/sessions': 'read-a-session',
} as const satisfies Record<Page, HelpPage>;

export function isHelpPage(text: string | undefined): text is HelpPage {
  return helpPages.some((page) => page === text);
}
