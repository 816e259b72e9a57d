// Owns which feature draws which page. If the role of a page is switched off, the overview is shown.
import type { ReactNode } from 'react';
import { CloudConnectPage } from '../features/cloud-connect/cloud-connect-page.tsx';
import { GatewaysPage } from '../features/gateways/gateways-page.tsx';
import { JobsPage } from '../features/jobs/jobs-page.tsx';
import { OverviewPage } from '../features/overview/overview-page.tsx';
import { PointsPage } from '../features/restore/points-page.tsx';
import { RepositoriesPage } from '../features/repositories/repositories-page.tsx';
import { ServiceProvidersPage } from '../features/service-providers/service-providers-page.tsx';
import { SessionPage } from '../features/sessions/page/session-page.tsx';
import { SessionsPage } from '../features/sessions/sessions-page.tsx';
import { TenantsPage } from '../features/tenants/tenants-page.tsx';
import type { SessionSide } from '../platform/clients.ts';
import { useNavigation } from '../platform/navigation-store.ts';
import { useMirror } from '../platform/use-mirror.ts';

export function PageHost(): ReactNode {
  const { page, sessionId } = useNavigation(({ route }) => route);
  const roles = useMirror(({ console }) => console.roles);
  const side: SessionSide = page.startsWith('provider/') ? 'provider' : 'tenant';
  if (page === 'overview' || !roles.includes(side)) return <OverviewPage />;
  switch (page) {
    case 'provider/cloud-connect':
      return <CloudConnectPage />;
    case 'provider/gateways':
      return <GatewaysPage />;
    case 'provider/tenants':
      return <TenantsPage />;
    case 'provider/repositories':
      return <RepositoriesPage />;
    case 'tenant/service-providers':
      return <ServiceProvidersPage />;
    case 'tenant/jobs':
      return <JobsPage />;
    case 'tenant/points':
      return <PointsPage />;
    case 'provider/sessions':
    case 'tenant/sessions':
      return sessionId === null ? (
        <SessionsPage key={side} side={side} />
      ) : (
        <SessionPage key={`${side}/${sessionId}`} side={side} sessionId={sessionId} />
      );
  }
}
