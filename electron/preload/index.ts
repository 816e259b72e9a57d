// Owns what the renderer can reach: `window.farkeep` with five members, and no object of Electron. The main process does all checks.
import { contextBridge, ipcRenderer, webUtils, type IpcRendererEvent } from 'electron';
import { bridgeChannels } from '../../services/contracts/bridge-channels.ts';
import type { BridgeCall, BridgeEvent, CallResult, FarkeepBridge } from '../../services/contracts/carrier.ts';

const bridge: FarkeepBridge = {
  call: (call: BridgeCall) => ipcRenderer.invoke(bridgeChannels.call, call) as Promise<CallResult>,
  cancel: (id: string) => ipcRenderer.send(bridgeChannels.cancel, id),
  onEvent(listener) {
    // The event object must not reach the page, because it leads to ipcRenderer.
    const deliver = (_event: IpcRendererEvent, event: BridgeEvent): void => listener(event);
    ipcRenderer.on(bridgeChannels.event, deliver);
    return () => {
      ipcRenderer.off(bridgeChannels.event, deliver);
    };
  },
  pathOfDroppedFile,
  platform: process.platform,
};

contextBridge.exposeInMainWorld('farkeep', bridge);

/** Electron 32 replaced the property `path` of files by webUtils. The console runs on versions before and after. */
function pathOfDroppedFile(file: unknown): string {
  if (typeof file !== 'object' || file === null) return '';
  const utilities = webUtils as { getPathForFile(file: unknown): string } | undefined;
  if (utilities !== undefined) return utilities.getPathForFile(file);
  return 'path' in file && typeof file.path === 'string' ? file.path : '';
}
