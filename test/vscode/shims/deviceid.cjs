// Stands in for @vscode/deviceid, a native module that the registry has only as source. Telemetry is off.
exports.getDeviceId = async () => '00000000-0000-4000-8000-000000000000';
