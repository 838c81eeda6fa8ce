// Stands in for @vscode/native-watchdog, a native module that the registry has only as source. The extension
// host also watches its parent's pid in JavaScript.
exports.start = () => {};
