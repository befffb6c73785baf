import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

const api = process.env["SIGNALBOX_API"] ?? "http://127.0.0.1:8700";
const served = ["/v1", "/log/", "/checkout", "/account", "/verify", "/schema", "/healthz"];

export default defineConfig({
  plugins: [react()],
  build: {
    assetsInlineLimit: 0, // the policy allows no data: scripts or fonts
    manifest: true, // the bundle's budget is read from it
    reportCompressedSize: false,
    target: "es2022",
  },
  server: { proxy: Object.fromEntries(served.map((path) => [path, { target: api }])) },
  test: {
    environment: "happy-dom",
    include: ["src/**/*.test.{ts,tsx}"],
    setupFiles: ["src/vitest.setup.ts"],
    restoreMocks: true,
    testTimeout: 20_000, // two cores, several workers
  },
});
