// Owns which dialogs were asked for. A feature asks by kind; the app knows which feature draws it. Dialogs open on top of each other.
import { create } from 'zustand';
import type { CertificateSlot, CertificateSummary } from '../../services/contracts/models/certificate.ts';

export type OptionsTab = 'general' | 'security';

export type DialogRequest =
  | { readonly kind: 'options'; readonly tab: OptionsTab }
  | { readonly kind: 'about' }
  | { readonly kind: 'diagnostics' }
  | { readonly kind: 'license' }
  | {
      readonly kind: 'manage-certificate';
      readonly slot: CertificateSlot;
      /** Opens it to announce a change beforehand, instead of one at once. */
      readonly isAnnouncing?: boolean;
    }
  | { readonly kind: 'view-certificate'; readonly title: string; readonly certificate: CertificateSummary }
  | { readonly kind: 'add-gateway' }
  | { readonly kind: 'add-repository' }
  | { readonly kind: 'add-tenant' }
  | { readonly kind: 'add-service-provider' }
  | { readonly kind: 'add-job' }
  | { readonly kind: 'restore'; readonly pointId: string };

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
