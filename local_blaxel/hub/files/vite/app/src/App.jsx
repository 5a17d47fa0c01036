import { useState } from "react";

export default function App() {
  const [count, setCount] = useState(0);

  return (
    <main>
      <h1>Vite app</h1>
      <p>
        Edit <code>src/App.jsx</code> and see it change.
      </p>
      <button onClick={() => setCount(count + 1)}>Count: {count}</button>
    </main>
  );
}
