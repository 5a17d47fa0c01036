import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

export default defineConfig({
  plugins: [react()],
  server: { allowedHosts: true, port: 3000, strictPort: true },
});
