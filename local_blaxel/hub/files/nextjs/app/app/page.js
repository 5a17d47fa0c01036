export default function Page() {
  return (
    <main>
      <h1>Next.js app</h1>
      <p>
        Edit <code>app/page.js</code> and see it change.
      </p>
    </main>
  );
}
