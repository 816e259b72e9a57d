import { createIntl } from 'react-intl';
import { expect, it } from 'vitest';
import type { ServiceRole } from '../../../services/contracts/contract.ts';
import { texts } from '../../i18n/texts.ts';
import type { TextFunction } from '../../i18n/use-text.ts';
import { emptyMirror } from '../../platform/mirror/mirror-state.ts';
import { tenantOf } from '../../testing/fixtures.ts';
import { sentencesAboutStop, stopFigures } from './what-stops.ts';

const intl = createIntl({ locale: 'en', messages: texts });
const t: TextFunction = (id, values) => intl.formatMessage({ id }, values);
const about = (roles: readonly ServiceRole[], tenants: number | null, connections: number | null = null): string =>
  sentencesAboutStop(t, roles, { tenants, connections }).join(' ');

it('names how many tenants a stop of the provider affects', () => {
  expect(about(['provider', 'tenant'], 3)).toBe(
    '3 tenants back up to this computer. While the service is stopped, their backups fail.',
  );
  expect(about(['provider'], 1)).toContain('1 tenant backs up to this computer.');
  expect(about(['provider'], null)).not.toMatch(/\d/);
});

it('counts enabled tenants only, and none before they are known', () => {
  const tenants = [tenantOf(1), tenantOf(2), tenantOf(3, { isEnabled: false })];
  const provider = { ...emptyMirror.provider, tenants };
  expect(stopFigures({ ...emptyMirror, provider: { ...provider, load: 'ready' } }).tenants).toBe(2);
  expect(stopFigures({ ...emptyMirror, provider }).tenants).toBeNull();
});

it('names the connections of a gateway', () => {
  expect(about(['gateway'], null, 2)).toContain('2 connections are open');
  expect(about(['gateway', 'provider'], 2, 0)).toBe(about(['provider'], 2));
});

it('has nothing to say about a tenant without sessions', () => {
  expect(about(['tenant'], 5, 5)).toBe('');
});
