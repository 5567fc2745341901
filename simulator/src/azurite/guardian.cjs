// Runs Azurite's blob service until standard input ends. The test holds the other end of it: however the test
// comes to its end, the pipe closes, and the service saves its data and leaves.
//
// node --eval <this text> -- <main script of the blob service> <its arguments>

const main = process.argv[1];

process.stdin.on("end", leave).on("error", leave).resume();

function leave() {
  const served = process.emit("SIGTERM");
  if (!served) {
    process.exit(0);
  }
  setTimeout(() => process.exit(1), 10_000).unref();
}

require(main);
