// Owns which dialogs are open. A feature requests a dialog by its kind; the app knows which feature draws it. A new dialog opens on top.
import { create } from 'zustand';
import type { ServiceRole } from '../../services/contracts/contract.ts';
import type { CertificateSlot, CertificateSummary } from '../../services/contracts/models/certificate.ts';
import type { HelpPage } from './help-pages.ts';

export const optionsTabs = ['general', 'security', 'network', 'notifications'] as const;
export type OptionsTab = (typeof optionsTabs)[number];

export type DialogRequest =
  | {
      readonly kind: 'options';
      readonly tab: OptionsTab;
      /** A role whose service cannot use its addresses: the Network tab checks them at once. */
      readonly problemRole?: ServiceRole;
    }
  | { readonly kind: 'about' }
  | { readonly kind: 'help'; readonly page: HelpPage }
  | { readonly kind: 'diagnostics' }
  | { readonly kind: 'license' }
  | {
      readonly kind: 'manage-certificate';
      readonly slot: CertificateSlot;
      /** True: the wizard announces a later change instead of making a change at once. */
      readonly isAnnouncing?: boolean;
    }
  | { readonly kind: 'view-certificate'; readonly title: string; readonly certificate: CertificateSummary }
  | { readonly kind: 'stored-certificates' }
  | { readonly kind: 'add-gateway' }
  | { readonly kind: 'add-repository' }
  | { readonly kind: 'add-tenant' }
  | { readonly kind: 'add-service-provider' }
  | {
      readonly kind: 'edit-service-provider';
      readonly providerId: string;
      /** True: the provider refused the saved password, so the field for the new one has the focus. */
      readonly isPasswordWanted?: boolean;
    }
  | { readonly kind: 'add-job' }
  | { readonly kind: 'edit-job'; readonly jobId: string }
  | {
      readonly kind: 'restore';
      readonly pointId: string;
      /** Entries that are already chosen. Default: everything. */
      readonly paths?: readonly string[];
    };

interface OpenDialog {
  readonly key: number;
  readonly request: DialogRequest;
}

interface DialogState {
  readonly open: readonly OpenDialog[];
}

let lastKey = 0;

export const useDialogs = create<DialogState>(() => ({ open: [] }));

export function openDialog(request: DialogRequest): void {
  lastKey += 1;
  const key = lastKey;
  useDialogs.setState(({ open }) =>
    open.some((dialog) => dialog.request.kind === request.kind) ? { open } : { open: [...open, { key, request }] },
  );
}

export function closeDialog(key: number): void {
  useDialogs.setState(({ open }) => ({ open: open.filter((dialog) => dialog.key !== key) }));
}
