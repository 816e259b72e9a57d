// Owns the mirror of this window and the hooks that read it. Selectors must return parts of the state, not new objects.
import { useEffect } from 'react';
import { useStore } from 'zustand';
import type { ServiceRole } from '../../services/contracts/contract.ts';
import type { SupervisedService } from '../../services/contracts/models/service.ts';
import { getBridge } from './bridge.ts';
import type { SessionSide } from './clients.ts';
import { emptyOpenSession, openSessionKey } from './mirror/mirror-state.ts';
import type { MirrorState, OpenSession } from './mirror/mirror-state.ts';
import { Mirror } from './mirror/mirror.ts';
import { serviceSnapshots } from './mirror/snapshots.ts';

const eventBatchMs = 50;

export const mirror = new Mirror({
  snapshots: serviceSnapshots,
  // A timer works also in a hidden window. An animation frame does not: a hidden window draws no frames, but its state must still be
  // updated.
  schedule: (work) => void setTimeout(work, eventBatchMs),
});

/** Subscribes, then fetches. Returns when roles, services and preferences are known. */
export async function startMirror(): Promise<void> {
  getBridge().onEvent((event) => mirror.receive(event));
  await mirror.start();
}

export function useMirror<T>(selector: (state: MirrorState) => T): T {
  return useStore(mirror.store, selector);
}

export function useService(role: ServiceRole): SupervisedService | undefined {
  return useMirror(({ console }) => console.services.find((service) => service.role === role));
}

export function useHasRole(role: ServiceRole): boolean {
  return useMirror(({ console }) => console.roles.includes(role));
}

/** Keeps a session open in the mirror while the component is shown. */
export function useOpenSession(side: SessionSide, sessionId: string): OpenSession {
  useEffect(() => mirror.openSession(side, sessionId), [side, sessionId]);
  return useMirror(({ openSessions }) => openSessions[openSessionKey(side, sessionId)] ?? emptyOpenSession);
}
