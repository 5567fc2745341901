// A new workspace: every table of the sources that are switched on is made.
using '../azuredeploy.json'

param workspaceResourceId = '/subscriptions/00000000-0000-0000-0000-000000000001/resourceGroups/connector/providers/Microsoft.OperationalInsights/workspaces/sentinel'
param packageUri = 'https://packages.example.com/released-package.zip'
param pingOneEnvironmentId = 'env-1'
param pingOneClientId = 'client-1'
param pingOneClientSecret = 'secret-1'
param pingOneTablesToCreate = ['PingOne_AuditActivitiesV2_CL']
param tags = {
  CostCenter: '42'
}
param sentinelOneUrl = 'https://tenant.sentinelone.example.com'
param sentinelOneApiToken = 'token-1'
param sentinelOneTablesToCreate = [
  'SentinelOneActivities_CL'
  'SentinelOneAgents_CL'
  'SentinelOneAlerts_CL'
  'SentinelOneGroups_CL'
  'SentinelOneThreats_CL'
]
