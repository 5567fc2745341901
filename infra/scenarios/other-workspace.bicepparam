// The workspace is in another subscription and resource group than the app.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000002/resourceGroups/monitoring/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param pingOneEnvironmentId = 'env-1'
param pingOneClientId = 'client-1'
param pingOneClientSecret = 'secret-1'
param pingOneTablesToCreate = ['PingOne_AuditActivitiesV2_CL']
