// The webhooks are switched off, though their tokens are given.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param sentinelOneUrl = 'https://tenant.sentinelone.example.com'
param pingOneWebhook = false
param pingOnePushToken = 'token-1'
param oneLoginWebhook = false
param oneLoginBearerToken = 'token-1'
