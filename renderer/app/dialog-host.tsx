// Owns which feature draws which dialog. A dialog that another dialog requests opens above it.
import type { ReactNode } from 'react';
import { CertificateDialog } from '../features/certificates/certificate-dialog.tsx';
import { CertificateWizard } from '../features/certificates/certificate-wizard.tsx';
import { StoredCertificatesDialog } from '../features/certificates/stored-certificates-dialog.tsx';
import { DiagnosticsDialog } from '../features/diagnostics/diagnostics-dialog.tsx';
import { GatewayWizard } from '../features/gateways/gateway-wizard.tsx';
import { EditJobWizard } from '../features/jobs/edit-job-wizard.tsx';
import { HelpDialog } from '../features/help/help-dialog.tsx';
import { JobWizard } from '../features/jobs/job-wizard.tsx';
import { LicenseDialog } from '../features/options/license-dialog.tsx';
import { OptionsDialog } from '../features/options/options-dialog.tsx';
import { RepositoryWizard } from '../features/repositories/repository-wizard.tsx';
import { RestoreWizard } from '../features/restore/restore-wizard.tsx';
import { EditProviderDialog } from '../features/service-providers/edit-provider-dialog.tsx';
import { ServiceProviderWizard } from '../features/service-providers/service-provider-wizard.tsx';
import { TenantWizard } from '../features/tenants/tenant-wizard.tsx';
import { closeDialog, useDialogs } from '../platform/dialog-store.ts';
import type { DialogRequest } from '../platform/dialog-store.ts';
import { AboutDialog } from './about-dialog.tsx';

export function DialogHost(): ReactNode {
  const open = useDialogs((state) => state.open);
  return open.map(({ key, request }) => (
    <RequestedDialog key={key} request={request} onClose={() => closeDialog(key)} />
  ));
}

function RequestedDialog({
  request,
  onClose,
}: {
  readonly request: DialogRequest;
  readonly onClose: () => void;
}): ReactNode {
  switch (request.kind) {
    case 'options':
      return <OptionsDialog initialTab={request.tab} problemRole={request.problemRole ?? null} onClose={onClose} />;
    case 'license':
      return <LicenseDialog onClose={onClose} />;
    case 'help':
      return <HelpDialog initialPage={request.page} onClose={onClose} />;
    case 'about':
      return <AboutDialog onClose={onClose} />;
    case 'diagnostics':
      return <DiagnosticsDialog onClose={onClose} />;
    case 'manage-certificate':
      return <CertificateWizard slot={request.slot} isAnnouncing={request.isAnnouncing === true} onClose={onClose} />;
    case 'view-certificate':
      return <CertificateDialog title={request.title} certificate={request.certificate} onClose={onClose} />;
    case 'stored-certificates':
      return <StoredCertificatesDialog onClose={onClose} />;
    case 'add-gateway':
      return <GatewayWizard onClose={onClose} />;
    case 'add-repository':
      return <RepositoryWizard onClose={onClose} />;
    case 'add-tenant':
      return <TenantWizard onClose={onClose} />;
    case 'add-service-provider':
      return <ServiceProviderWizard onClose={onClose} />;
    case 'edit-service-provider':
      return (
        <EditProviderDialog
          providerId={request.providerId}
          isPasswordWanted={request.isPasswordWanted === true}
          onClose={onClose}
        />
      );
    case 'add-job':
      return <JobWizard onClose={onClose} />;
    case 'edit-job':
      return <EditJobWizard jobId={request.jobId} onClose={onClose} />;
    case 'restore':
      return <RestoreWizard pointId={request.pointId} paths={request.paths ?? []} onClose={onClose} />;
  }
}
