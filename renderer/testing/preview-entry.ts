// Entry of the preview: the same app on a bridge without services. Built and served by testing/vite.config.ts only.
import '../../services/contracts/zod-setup.ts';
import { createPreviewBridge } from './preview-bridge.ts';
import { sceneOf } from './preview-scene.ts';

const bridge = createPreviewBridge(sceneOf(new URLSearchParams(location.search)));
Object.defineProperty(window, 'farkeep', { value: bridge });
await import('../app/main.tsx');
