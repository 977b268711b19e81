#!/bin/sh
# The sample from nothing: builds the broker's image and the command line, and starts everything. Needs the .NET 10 SDK and Docker with
# its compose plugin. The agent's output is the last thing that is printed; `docker compose down --volumes` takes all of it away.
set -eu
cd "$(dirname "$0")"
dotnet publish ../../src/CredBroker.Server --os linux -t:PublishContainer -p:CredBrokerDev=false -p:ContainerRepository=credbroker -p:ContainerImageTag=sample
dotnet publish ../../src/CredBroker.Cli -c Release -r "linux-$(uname -m | sed 's/x86_64/x64/; s/aarch64/arm64/')" --self-contained -p:PublishSingleFile=true -o out
docker compose up --detach
docker compose logs --follow --no-log-prefix agent
