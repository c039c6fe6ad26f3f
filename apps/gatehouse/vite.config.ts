import { defineConfig } from 'vite';

// One executable: the workspace's own code is bundled (each role a chunk of its own, loaded when it is run),
// packages from the registry stay outside.
export default defineConfig({
  logLevel: 'warn',
  build: {
    ssr: 'src/main.ts',
    target: 'node22',
    outDir: 'dist',
    emptyOutDir: true,
    sourcemap: true,
    minify: false,
  },
  ssr: { noExternal: [/^@gatehouse\//] },
});
