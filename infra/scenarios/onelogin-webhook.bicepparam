// OneLogin sends webhooks into the table that the retired function app made.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param oneLoginBearerToken = 'token-1'
param oneLoginTableHasGuidColumns = true
param transformOneLogin = 'source | where true'
