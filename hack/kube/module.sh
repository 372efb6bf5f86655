#!/bin/sh
# Write go.mod and go.sum for one version of Kubernetes:  hack/kube/module.sh v1.37.2
#
# Kubernetes' own go.mod names its parts by local folders; here they are the
# published modules of the same release.
set -eu
version=${1:?"usage: module.sh v1.MINOR.PATCH"}
cd "$(dirname "$0")"
rm -f go.mod go.sum
go mod init paquebot.dev/hack/kube
upstream=$(go mod download -json "k8s.io/kubernetes@$version" | python3 -c 'import json, sys; print(json.load(sys.stdin)["GoMod"])')
edits=$(go mod edit -json "$upstream" | python3 -c '
import json, sys
parts = "v0" + sys.argv[1].removeprefix("v1")
upstream = json.load(sys.stdin)
print("-go=" + upstream["Go"])
for each in upstream.get("Godebug", []):
    print("-godebug=" + each["Key"] + "=" + each["Value"])
for each in upstream["Require"]:
    if each["Path"] in ("go.etcd.io/etcd/server/v3", "github.com/spf13/cobra"):
        print("-require=" + each["Path"] + "@" + each["Version"])
print("-require=k8s.io/component-base@" + parts)
for each in upstream["Replace"]:
    if each["New"]["Path"].startswith("./staging/"):
        print("-replace=" + each["Old"]["Path"] + "=" + each["Old"]["Path"] + "@" + parts)
' "$version")
# shellcheck disable=SC2086
go mod edit -require="k8s.io/kubernetes@$version" $edits
go mod tidy
