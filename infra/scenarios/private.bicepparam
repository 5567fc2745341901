// Nothing but private endpoints reaches storage, vault and the data collection rules.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param pingOneEnvironmentId = 'env-1'
param pingOneClientId = 'client-1'
param pingOneClientSecret = 'secret-1'
param publicNetworkAccess = 'Disabled'
param useDataCollectionEndpoint = true
param virtualNetworkSubnetId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/network/providers/Microsoft.Network/virtualNetworks/hub/subnets/app'
