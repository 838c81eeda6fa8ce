// Stands in for @vscode/spdlog, a native module that the registry has only as source: the same log files,
// written with node:fs, so that a failed test has logs to look at.
const fs = require('node:fs');
const path = require('node:path');

const LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'critical'];

class Logger {
  #file;
  #threshold = LEVELS.indexOf('info');
  #bare = false;

  constructor(file) {
    this.#file = file;
    fs.mkdirSync(path.dirname(file), { recursive: true });
    LEVELS.forEach((name, level) => {
      this[name] = (message) => this.#write(level, name, message);
    });
  }

  #write(level, name, message) {
    if (level < this.#threshold) return;
    const line = this.#bare ? message : `${new Date().toISOString()} [${name}] ${message}\n`;
    // The folder may be gone already while the server shuts down; a log is no reason to fail.
    fs.appendFile(this.#file, line, () => {});
  }

  getLevel() {
    return this.#threshold;
  }
  setLevel(level) {
    this.#threshold = level;
  }
  clearFormatters() {
    this.#bare = true;
  }
  setPattern() {}
  flush() {}
  drop() {}
}

const create = async (_name, file) => new Logger(file);
exports.createRotatingLogger = create;
exports.createAsyncRotatingLogger = create;
exports.Logger = Logger;
exports.version = 1;
exports.setLevel = () => {};
exports.setFlushOn = () => {};
exports.shutdown = () => {};
