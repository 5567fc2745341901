// The app was deleted and with it its identity: the roles of the new one are other roles.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param identityType = 'SystemAssigned'
param healthTablesToCreate = []
param pingOneEnvironmentId = 'env-1'
param pingOneClientId = 'client-1'
