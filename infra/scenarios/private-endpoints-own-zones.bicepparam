// Private endpoints in the DNS zones that the network has.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = ''
param sentinelOneUrl = 'https://example.sentinelone.net'
param virtualNetworkSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/app'
param privateEndpointSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/endpoints'
param privateDnsZoneIds = {
  blob: '/zones/blob'
  table: '/zones/table'
  vault: '/zones/vault'
}
