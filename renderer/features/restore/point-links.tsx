// Owns the links from a restore point to what it came from: its job, its provider, and the session that made it.
import { Link } from '@fluentui/react-components';
import type { ReactNode } from 'react';
import type { RestorePoint } from '../../../services/contracts/models/tenant.ts';
import { useText } from '../../i18n/use-text.ts';
import { goToItem, goToSession } from '../../platform/navigation-store.ts';
import { useMirror } from '../../platform/use-mirror.ts';

interface PointLinkProps {
  readonly point: RestorePoint;
}

/** A job that was removed has no link. */
export function JobLink({ point: { job, jobId } }: PointLinkProps): ReactNode {
  const isKnown = useMirror(({ tenant }) => tenant.jobs.some(({ id }) => id === jobId));
  return isKnown ? <Link onClick={() => goToItem('tenant/jobs', jobId)}>{job}</Link> : job;
}

export function ProviderLink({ point: { providerName } }: PointLinkProps): ReactNode {
  const provider = useMirror(({ tenant }) => tenant.providers.find(({ name }) => name === providerName));
  if (provider === undefined) return providerName;
  return <Link onClick={() => goToItem('tenant/service-providers', provider.id)}>{providerName}</Link>;
}

/** The session of a backup has the identifier of its restore point. */
export function SessionLink({ point: { id } }: PointLinkProps): ReactNode {
  const t = useText();
  const isKnown = useMirror(({ tenant }) => tenant.sessions.some((session) => session.id === id));
  return isKnown ? <Link onClick={() => goToSession('tenant', id)}>{t('points.session.open')}</Link> : '–';
}
