// The tables are there, and so are the secrets in the vault: neither is given again.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param pingOneEnvironmentId = 'env-1'
param pingOneClientId = 'client-1'
param sentinelOneUrl = 'https://tenant.sentinelone.example.com'
param healthTablesToCreate = []
param createAlertRules = true
