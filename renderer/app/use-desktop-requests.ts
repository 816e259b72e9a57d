// Owns requests of the desktop to open a page. Also reports the current page to the console, which opens this page at the next start.
import { useEffect } from 'react';
import { consoleDomain } from '../../services/contracts/rpc/console.ts';
import { getBridge } from '../platform/bridge.ts';
import { consoleClient } from '../platform/clients.ts';
import { toErrorInfo } from '../platform/error-info.ts';
import { goToRoute, useNavigation } from '../platform/navigation-store.ts';
import { parseRoute } from '../platform/route.ts';
import { mirror } from '../platform/use-mirror.ts';
import { showToast } from '../ui/toast-store.ts';

async function savePage(lastPage: string): Promise<void> {
  const { preferences } = mirror.store.getState().console;
  if (preferences === null || preferences.lastPage === lastPage) return;
  try {
    mirror.setPreferences(await consoleClient.setPreferences({ lastPage }));
  } catch (error) {
    showToast('error', toErrorInfo(error).message);
  }
}

export function useDesktopRequests(): void {
  const page = useNavigation(({ route }) => route.page);
  useEffect(() => {
    void savePage(page);
  }, [page]);
  useEffect(
    () =>
      getBridge().onEvent(({ target, domain, event, payload }) => {
        if (target !== 'console' || domain !== 'console' || event !== 'navigationRequested') return;
        const request = consoleDomain.events.navigationRequested.payload.safeParse(payload);
        if (request.success) goToRoute(parseRoute(request.data.page));
      }),
    [],
  );
}
