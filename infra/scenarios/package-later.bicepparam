// The code is published later.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param sentinelOneUrl = 'https://tenant.sentinelone.example.com'
param packageUri = ''
