// Owns the paths of an installation, in a checkout and in a packaged application. Must not read the files there.
import path from 'node:path';

export interface InstallLayout {
  /** The Node.js that runs the services; never Electron's own (docs/ARCHITECTURE.md, Processes and runtimes). */
  readonly nodeExecutable: string;
  readonly serviceEntry: string;
  /** The `farkeep` command, for units of systemd. */
  readonly commandEntry: string;
  readonly rendererFolder: string;
  readonly preloadScript: string;
  readonly iconFile: string;
  readonly trayIconFile: string;
}

/** The names of the registry packages that contain Node.js. scripts/project.mjs has the same names. */
const platformNames: Partial<Record<NodeJS.Platform, string>> = { win32: 'win', darwin: 'bin-darwin' };

/**
 * @param bundleFolder folder of the bundled main script: build/console/main in a checkout, app/main in a package
 * @param resourcesFolder set when packaged
 */
export function installLayout(bundleFolder: string, resourcesFolder: string | undefined): InstallLayout {
  const appFolder = path.dirname(bundleFolder);
  const root = resourcesFolder ?? path.resolve(appFolder, '..', '..');
  const platform = platformNames[process.platform] ?? process.platform;
  const nodeFile = process.platform === 'win32' ? 'node.exe' : 'node';
  return {
    nodeExecutable: path.join(root, 'node_modules', `node-${platform}-${process.arch}`, 'bin', nodeFile),
    serviceEntry: path.join(root, 'services', 'host', 'serve-entry.ts'),
    commandEntry: path.join(root, 'services', 'cli', 'cli-entry.ts'),
    rendererFolder: path.join(appFolder, 'renderer'),
    preloadScript: path.join(appFolder, 'preload', 'index.cjs'),
    iconFile: path.join(root, 'assets', 'icon.png'),
    trayIconFile: path.join(root, 'assets', 'tray.png'),
  };
}
